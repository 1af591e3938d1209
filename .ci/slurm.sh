# shellcheck shell=bash disable=SC2154
# A SLURM of one node for .ci/workflow, which reads this file and sets `work`: on the loopback address, with a munge of
# its own. Nothing of it is left behind but Debian's packages.
#
# Its settings stand in /etc/slurm because Snakemake's jobs forget SLURM_CONF. Settings of others there are not touched.

slurm_conf=/etc/slurm/slurm.conf
slurm_mark="# Made by .ci/workflow, which deletes it."
slurm_pids=()

# Fails with the reason on stdout if there can be no SLURM here. Installs it where it is missing.
slurm_lacks() {
    [ "$(id -u)" = 0 ] || { echo "it needs root"; return 1; }
    if ! { command -v slurmctld && command -v slurmd && command -v sbatch && command -v munged; } >/dev/null; then
        command -v apt-get >/dev/null || { echo "it is not installed, and there is no apt-get"; return 1; }
        {
            export DEBIAN_FRONTEND=noninteractive
            apt-get update -qq
            apt-get install -y -qq --no-install-recommends slurm-wlm munge
        } >"$work/slurm-install.log" 2>&1 || { tail -n 3 "$work/slurm-install.log"; return 1; }
    fi
    if [ -e $slurm_conf ] && [ "$(head -n 1 $slurm_conf)" != "$slurm_mark" ]; then
        echo "$slurm_conf is another cluster's"
        return 1
    fi
}

slurm_start() {
    exec 9</etc/slurm
    flock --wait 60 9 || { echo "another check holds /etc/slurm" >"$work/slurm-lock.log"; return 1; }
    local host dir=$work/slurmd ports
    host=$(hostname -s)
    mkdir "$dir" "$dir/state" "$dir/spool"
    ports=$(python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(each.getsockname()[1] for each in sockets))')
    (umask 077 && head -c 1024 /dev/urandom >"$dir/key")
    cat >"$dir/slurm.conf" <<CONF
$slurm_mark
ClusterName=mirador
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=${ports% *}
SlurmdPort=${ports#* }
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
AuthType=auth/munge
AuthInfo=socket=$dir/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000
PartitionName=main Nodes=ALL Default=YES
CONF
    cp "$dir/slurm.conf" $slurm_conf
    munged --foreground --force --key-file="$dir/key" --socket="$dir/munge" --pid-file="$dir/munged.pid" \
        --log-file="$dir/munged.log" --seed-file="$dir/seed" >"$work/slurm-munged.log" 2>&1 9<&- &
    slurm_pids=($!)
    for _ in {1..50}; do [ -S "$dir/munge" ] && break; sleep .1; done
    slurmctld -D >"$work/slurm-slurmctld.log" 2>&1 9<&- &
    slurm_pids+=($!)
    slurmd -D >"$work/slurm-slurmd.log" 2>&1 9<&- &
    slurm_pids+=($!)
    for _ in {1..120}; do
        [ "$(timeout 5 sinfo --noheader --format %T 2>/dev/null)" != idle ] || return 0
        sleep .5
    done
    return 1
}

# Ends the jobs, then the daemons, and waits for them.
slurm_stop() {
    [ ${#slurm_pids[@]} -gt 0 ] || return 0
    timeout 5 squeue --noheader --format %i 2>/dev/null |
        xargs -r timeout 5 scancel --full --signal KILL 2>/dev/null || true
    for _ in {1..20}; do
        [ -n "$(timeout 5 squeue --noheader 2>/dev/null)" ] || break
        sleep .5
    done
    timeout 5 scontrol shutdown >/dev/null 2>&1 || true
    local pid
    for pid in "${slurm_pids[2]:-}" "${slurm_pids[1]:-}" "${slurm_pids[0]}"; do
        [ -n "$pid" ] || continue
        kill "$pid" 2>/dev/null || true
        timeout 10 tail --pid="$pid" -f /dev/null || kill -KILL "$pid" 2>/dev/null || true
    done
    slurm_pids=()
    rm -f $slurm_conf
}
