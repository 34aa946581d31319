"""Which CRM records an email concerns, and why. Pure."""
