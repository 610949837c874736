"""What an application sends, and what becomes of it."""
