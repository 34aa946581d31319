"""An export on the machine of the command: pulled through the API, checked, and put in place whole."""
