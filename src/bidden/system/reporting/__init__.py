"""What happens in a session, in words and in moving pictures."""
