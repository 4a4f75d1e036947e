"""How each experiment answers its assignment: `write`, in a module of its name, makes text and figures."""
