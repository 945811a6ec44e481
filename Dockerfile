# Semiology without a GPU:
#   docker build -t semiology .
#   docker run --rm --network none --user "$(id -u):$(id -g)" -v "$PWD/my_emu:/data" semiology \
#     run --model embedded --data /data --out /data/runs
FROM python:3.11-slim
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/*
WORKDIR /semiology
COPY . .
RUN pip install --no-cache-dir --constraint constraints.txt '.[enhance,review,import]'
# Any user may be given with --user, so that results belong to who started it: the home is everybody's.
RUN useradd --create-home reader && chmod 1777 /home/reader
ENV HOME=/home/reader
USER reader
WORKDIR /home/reader
ENTRYPOINT ["semiology"]
CMD ["--help"]
