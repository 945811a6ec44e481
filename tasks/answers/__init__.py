"""From a reply to an answer: yes, no, NA or unparsed."""
