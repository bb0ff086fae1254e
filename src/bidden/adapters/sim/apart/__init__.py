"""The simulated body in a process of its own, with a driver's watchdog."""
