"""The embedded tiny model: genuine Qwen2.5-VL architecture, trained from scratch on simulated clips."""
