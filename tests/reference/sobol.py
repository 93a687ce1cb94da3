"""Prints the points of Sobol' sequences that smallnet's unit tests of `src/study/sobol.rs` expect.

    pip install numpy scipy && python3 tests/reference/sobol.py

Made with Python 3.11, numpy 2.4.6, scipy 1.17.1.
"""
import numpy as np
from scipy.stats import qmc
from scipy.stats._sobol import _cscramble

BITS = 32
INDICES = [0, 1, 2, 3, 21, 255, 1000]

points = qmc.Sobol(20, scramble=False, bits=BITS).random(1024)
print("unscrambled, times 1024:")
for index in INDICES:
    print(f"({index}, {[int(x) for x in points[index] * 1024]}),")

# SciPy draws the bits of its scrambling itself. Here they come from a congruential generator, which
# the unit test repeats: 32 numbers per dimension for the rows of the matrix, and one for the shift.
sampler = qmc.Sobol(3, scramble=False, bits=BITS)
state = 1


def random():
    global state
    state = (state * 1664525 + 1013904223) % 2**32
    return state


matrices = np.zeros((3, BITS, BITS), dtype=np.uint32)
shifts = np.zeros(3, dtype=np.uint32)
for dimension in range(3):
    for row in range(BITS):
        number = random()
        for column in range(row):
            matrices[dimension, row, column] = (number >> (BITS - 1 - column)) & 1
    shifts[dimension] = random()
_cscramble(dim=3, bits=BITS, ltm=matrices, sv=sampler._sv)
sampler._shift = shifts
sampler._quasi = shifts.copy()
sampler._first_point = (shifts * sampler._scale).reshape(1, -1)
points = sampler.random(1024)
print("scrambled, times 2^32:")
for index in INDICES:
    print(f"({index}, {[int(x) for x in points[index] * 2**BITS]}),")
