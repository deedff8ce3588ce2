"""What the service has to remember: keys, accounts, the audit log, jobs, saved plans, feedback. SQLite by default, PostgreSQL by address."""
