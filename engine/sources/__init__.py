"""Where mail comes from: adapters behind ``engine.ports.MailSource``."""
