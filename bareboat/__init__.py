"""Bareboat answers with evidence which base image a Rust program should sail on, and what must go aboard."""

__version__ = "0.1.0"
