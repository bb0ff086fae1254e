"""The household suite: say it in a random room, judge what happened by the truth."""
