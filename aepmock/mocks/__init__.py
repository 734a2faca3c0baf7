"""The judged service: mock, faults, judge and journal in one."""
