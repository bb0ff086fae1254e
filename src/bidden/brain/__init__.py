"""From images and words to timed actions."""
