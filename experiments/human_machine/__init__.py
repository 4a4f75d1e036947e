"""ee599-hw3 §4: was a sequence of 20 binary values made up by a human, or by a machine?"""
