"""The G1 in a room, in MuJoCo."""
