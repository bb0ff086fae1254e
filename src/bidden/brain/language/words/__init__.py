"""From text to words with a meaning: spelling, idioms, amounts, noun phrases."""
