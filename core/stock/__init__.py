"""What is there, what is held and what is sold."""
