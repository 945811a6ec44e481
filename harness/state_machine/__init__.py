"""The published state machine around any lmms-eval model: where is the hand, does it rest, does it hold something?"""
