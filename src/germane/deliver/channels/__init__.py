"""The ways out: e-mail by SMTP, webhooks, the log for a CRM."""
