"""Learned policies that answer a space's decisions, and how they learn; strategies share them, none is one."""
