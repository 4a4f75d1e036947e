"""Data loading: `minigrad.utils.data`."""

from minigrad.utils import data as data
