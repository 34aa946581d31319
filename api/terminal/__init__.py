"""What commands print: tables for people's terminals, that stay readable at 80 columns, and plain ones for pipes."""
