# shellcheck shell=bash disable=SC2154,SC2164
# A Slurm of one node, without systemd and cgroups: a job array of eight shards, of which one is put back into the
# queue while it runs, and the merge behind it.
# (`run`, which reads this file, sets $here and $work, and ends at the first command that fails.)

packages slurmctld slurmd slurm-client munge
host="$(hostname -s)"

# Starts munge, the controller and the node.
start_slurm() {
  install -d -o munge -g munge -m 700 /etc/munge /var/lib/munge /var/log/munge
  install -d -o munge -g munge -m 755 /run/munge
  if [ ! -s /etc/munge/munge.key ]; then
    dd if=/dev/urandom of=/etc/munge/munge.key bs=1024 count=1 status=none
    chown munge: /etc/munge/munge.key
    chmod 400 /etc/munge/munge.key
  fi
  pgrep -x munged >/dev/null || setpriv --reuid munge --regid munge --clear-groups munged
  # Jobs of an earlier start would come back.
  rm -rf /var/spool/slurmctld
  install -d -o slurm -g slurm /var/spool/slurmctld /var/log/slurm
  install -d /var/spool/slurmd /etc/slurm
  cat > /etc/slurm/slurm.conf <<CONF
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=slurm
AuthType=auth/munge
# A job that was put back waits as long as its credentials would live: two minutes by default.
AuthInfo=cred_expire=5
StateSaveLocation=/var/spool/slurmctld
SlurmdSpoolDir=/var/spool/slurmd
SlurmctldPidFile=/run/slurmctld.pid
SlurmdPidFile=/run/slurmd.pid
SlurmctldLogFile=/var/log/slurm/slurmctld.log
SlurmdLogFile=/var/log/slurm/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_interval=1,batch_sched_delay=0
ReturnToService=2
MpiDefault=none
MailProg=/bin/true
JobRequeue=1
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$(($(awk '/MemTotal/ {print $2}' /proc/meminfo) / 1024 - 1024)) State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
  # Without it, slurmd asks for a cgroup file system or for D-Bus.
  echo 'CgroupPlugin=cgroup/v1' > /etc/slurm/cgroup.conf
  slurmctld
  slurmd
  echo 'pkill -x slurmctld; pkill -x slurmd; pkill -x munged || true' >> "$work/stop"
  for _ in $(seq 60); do sinfo -h -o %T 2>/dev/null | grep -q idle && return; sleep 0.5; done
  return 1
}

start_slurm || { passed_over "slurm: its daemons do not start here, see /var/log/slurm"; return; }
make_study "$work/slurm"
cd "$work/slurm"
# Twenty-five times as many epochs, so that a shard can be stopped in the middle.
options=(--set training.num_epochs=75)
"$SMALLNET" study cut.toml "${options[@]}" --script slurm --shards 8 > job.sh
CPUS=1 TIME_LIMIT=00:05:00 bash job.sh | tee submitted
array="$(sed -n 's/.*shards: job \([0-9]*\),.*/\1/p' submitted)"
log=artifacts/studies/cut/trials-1-of-8.jsonl
for _ in $(seq 600); do [ -s "$log" ] && break; sleep 0.05; done
scontrol requeue "${array}_1"
echo "shard 1/8 was put back after $(wc -l < "$log") trials"
for _ in $(seq 900); do [ -z "$(squeue -h)" ] && break; sleep 0.2; done
"$SMALLNET" study cut.toml "${options[@]}" --status
tail -4 cut-merge.log
grep -q 'interrupted after' cut-1.log || { echo "shard 1/8 was not stopped" >&2; cat cut-1.log >&2; exit 1; }
if [ "$(sort artifacts/studies/cut/trials-*.jsonl | cut -d'"' -f4 | uniq -d | wc -l)" != 0 ]; then
  echo "a trial was trained twice" >&2
  exit 1
fi
"$SMALLNET" study cut.toml "${options[@]}" --artifacts whole --quiet
same_as_one_process artifacts "slurm: eight shards, one of them put back into the queue, and the merge" whole
cd "$here"
