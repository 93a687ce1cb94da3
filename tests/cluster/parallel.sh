# shellcheck shell=bash disable=SC2154,SC2164
# GNU parallel over SSH: six shards on two accounts of this machine, whose trial logs come back.
# (`run`, which reads this file, sets $here and $work, and ends at the first command that fails.)

packages parallel openssh-server openssh-client rsync

start_ssh() {
  mkdir -p "$work/ssh" /run/sshd
  ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/key"
  ssh-keygen -q -t ed25519 -N '' -f "$work/ssh/host"
  for account in smallnet-one smallnet-two; do
    id "$account" >/dev/null 2>&1 || useradd --create-home --shell /bin/bash "$account"
    # A locked password would refuse the key, too.
    usermod --password '*' "$account"
    install -d -o "$account" -g "$account" -m 700 "/home/$account/.ssh"
    install -o "$account" -g "$account" -m 600 "$work/ssh/key.pub" "/home/$account/.ssh/authorized_keys"
  done
  /usr/sbin/sshd -f /dev/null -p 2222 -h "$work/ssh/host" -o ListenAddress=127.0.0.1 -o PidFile="$work/ssh/pid"
  # shellcheck disable=SC2016 # `run` expands it when it reads the file.
  echo 'kill "$(cat "$work/ssh/pid")"' >> "$work/stop"
  cat > "$work/ssh/config" <<CONF
Host one
  User smallnet-one
Host two
  User smallnet-two
Host *
  HostName 127.0.0.1
  Port 2222
  IdentityFile $work/ssh/key
  StrictHostKeyChecking no
  UserKnownHostsFile /dev/null
  LogLevel ERROR
CONF
  mkdir -p "$work/bin"
  install -m 755 "$SMALLNET" "$work/bin/smallnet"
  printf '#!/bin/sh\nexec /usr/bin/ssh -F %s/ssh/config "$@"\n' "$work" > "$work/bin/ssh"
  chmod 755 "$work/bin/ssh"
}

start_ssh
for _ in $(seq 20); do "$work/bin/ssh" one true && break; sleep 0.2; done
"$work/bin/ssh" two true || { passed_over "parallel: no SSH on the loopback address here"; return; }
make_study "$work/parallel"
cd "$work/parallel"
# An option with a space, which changes nothing: it must reach the hosts as one word.
"$SMALLNET" study cut.toml --set 'training.num_epochs= 3' --script parallel --shards 6 > job.sh
PATH="$work/bin:$PATH" SMALLNET="$work/bin/smallnet" HOSTS=one,two bash job.sh
same_as_one_process artifacts "parallel: six shards over SSH on two accounts"
for account in smallnet-one smallnet-two; do
  [ -d "/home/$account/smallnet-cut" ] || { echo "$account had no work" >&2; exit 1; }
done
cd "$here"
