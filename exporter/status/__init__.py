"""How the machine is right now: the marts, reckoned on to the present moment."""
