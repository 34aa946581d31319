"""The CRM's records, and how their addresses are compared. Pure."""
