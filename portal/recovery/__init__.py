"""Account recovery: members enrol, and two people of their organization let them back in."""
