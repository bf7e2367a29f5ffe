"""Every SQL statement of the service: functions that take a session, and never open or commit one."""
