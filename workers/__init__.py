"""The Celery workers: one module per queue, beside the application, the tasks' base and the schedule."""
