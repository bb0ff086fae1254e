"""Learning to act: play with a mixture of expert and learner, clone the expert."""
