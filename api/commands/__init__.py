"""The commands of ``mailroom``, one file each. They put the parts together; heavy libraries are imported inside."""
