"""What mail providers tell about messages, checked and in one vocabulary."""
