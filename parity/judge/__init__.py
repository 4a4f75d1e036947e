"""How measurements are judged: errors, tolerances, tests of equivalence, verdicts."""
