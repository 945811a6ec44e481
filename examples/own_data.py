# %% [markdown]
# # From your own data to a figure
#
# A recording set is read, a model is asked, its answers become a data frame, and the data frame a figure. The
# recordings here are **simulated** and the model is the **embedded** one, so the numbers say nothing about patients or
# models; put your own folder and model in their place.

# %%
from pathlib import Path

import matplotlib.pyplot as plt

import semiology
from semiology.data.simulated import simulate

ward = Path("ward")  # your recording set: see `semiology data import table --help`
simulate(ward, patients=8, seed=3, recordings_per_patient=2, size=(320, 240), progress=False)
recordings = semiology.read_recording_set(ward)
len(recordings.recordings), len(recordings.patients)

# %% [markdown]
# What a model will read, word for word:

# %%
tonic = semiology.load_library().feature("tonic").prompt("s3")
print(tonic.provenance, "|", tonic.source)
print(tonic.text)

# %% [markdown]
# Ask about three features. A killed run goes on where it stopped when the cell runs again.

# %%
features = ["tonic", "clonic", "head_turning"]
tasks = ",".join(f"semiology_{feature}" for feature in features)
folder = semiology.run("embedded", ward, "runs", tasks=tasks)

# %% [markdown]
# One row per feature: F1 with its interval by patient or the reason why there is none, beside always-yes.

# %%
scores = semiology.score_run(folder)
scores = scores[scores["name"].isin(features)].set_index("name")
scores[["f1", "f1_low", "f1_high", "f1_reason", "always_yes_f1", "n_unparsed", "n_positive", "n_patients"]]

# %%
figure, axes = plt.subplots(figsize=(6, 2.8), layout="constrained")
axes.barh(scores.index, scores["f1"], height=0.4, color="#9ecae1", label="embedded model")
axes.plot(scores["always_yes_f1"], scores.index, "|", color="#d55e00", markersize=22, label="always-yes")
axes.set(xlim=(0, 1), xlabel="F1, simulated recordings")
figure.legend(loc="outside upper center", ncols=2, frameon=False)
plt.show()

# %% [markdown]
# Is it better than always saying yes? The patient sign-flip test, as in `semiology compare`:

# %%
beside = semiology.compare("always-yes", folder)
beside[beside["measure"] == "f1"][["name", "first", "second", "difference", "p_max_t", "verdict"]]
