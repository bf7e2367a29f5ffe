"""What may be asked of the workers: typed producers of tasks, and how their messages are sent."""
