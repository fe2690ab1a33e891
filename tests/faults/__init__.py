"""`make faults`: processes are killed, databases stopped, disks filled, while students save; CONTRIBUTING.md."""
