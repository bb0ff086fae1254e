"""How well the robot knows when it will fail: collection, weaknesses, figures."""
