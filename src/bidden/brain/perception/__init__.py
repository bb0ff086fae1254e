"""From camera frames to network input and tracked things."""
