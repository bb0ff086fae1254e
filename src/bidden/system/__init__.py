"""Wires the parts and runs the control loop."""
