"""Makes the shipped networks; the only home of torch."""
