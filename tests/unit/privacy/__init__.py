"""What may be kept and used."""
