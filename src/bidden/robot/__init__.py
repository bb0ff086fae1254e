"""What the body is: joints, limits, geometry; numpy only."""
