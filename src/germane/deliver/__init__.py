"""From a decision to a message that goes out once: campaigns, moments, approvals, outbox, channels."""
