"""Functions of arrays: what operations compute, where a formula in NumPy would be too slow.

Here are memory layouts, buffers, threads and BLAS; tensors, records and gradients' graphs are in the packages above.
"""
