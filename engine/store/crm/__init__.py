"""CRM records in the file: changed, and looked up by the keys of addresses and domains."""
