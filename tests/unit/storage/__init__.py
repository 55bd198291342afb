"""What only one storage binding has."""
