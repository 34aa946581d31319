"""Who may do what: tokens, roles, networks, limits on failed logins, and the audit trail. Pure: no clock, no chance."""
