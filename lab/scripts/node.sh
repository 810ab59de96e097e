#!/bin/sh
# Makes the file systems of one node. Runs in the node's own mount, UTS and network namespaces:
# node.sh NAME NAMESERVER CGROUP2 PYTHON. CGROUP2 is the node's folder in the tree of cgroup v2 if its pods need one.
set -eu
name=$1
nameserver=$2
cgroup2=$3
python=$4
data=/mnt/lab/nodes/$name
mkdir -p "$data/containerd" "$data/kubelet" "$data/log"

hostname "$name"

# A sysfs shows the links of the namespace that mounted it, so the node needs its own; the cgroups go back under it.
mkdir -p "/mnt/$name/cgroup"
mount --rbind /sys/fs/cgroup "/mnt/$name/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "/mnt/$name/cgroup" /sys/fs/cgroup
umount --lazy "/mnt/$name/cgroup"

# The machine's files below, the node's own changes above: nothing that a node writes reaches the machine.
for folder in etc opt var; do
  mkdir -p "/mnt/$name/$folder" "/mnt/$name/$folder.work"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=/mnt/$name/$folder,workdir=/mnt/$name/$folder.work" "/$folder"
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/netns /run/flannel

# Container layers cannot lie on an overlay; volumes and logs are better on disk than in memory.
mkdir -p /var/lib/containerd /var/lib/kubelet /var/log/pods /var/log/containers
mount --bind "$data/containerd" /var/lib/containerd
mount --bind "$data/kubelet" /var/lib/kubelet
mount --make-rshared /var/lib/kubelet
mount --bind "$data/log" /var/log/pods
mount --make-rshared /run
# Pods' networks, a mount of its own: containerd asks whether it is shared, and finds mounts by their path, of which
# there is another /run below this one.
mount --bind /run/netns /run/netns

rm -rf /etc/cni /etc/resolv.conf /etc/hosts /opt/cni
mkdir -p /etc/cni/net.d /opt/cni/bin
echo "nameserver $nameserver" >/etc/resolv.conf
printf '127.0.0.1 localhost %s\n::1 localhost\n' "$name" >/etc/hosts
for plugin in bridge host-local loopback portmap ptp; do
  ln -s "/mnt/bin/$plugin" "/opt/cni/bin/$plugin"
done

# What a mode's CNI configuration may name besides: bridge, but at the VPC's switch, and its cloud's addresses.
printf '#!/bin/sh\nexec nsenter --net=/proc/1/ns/net /opt/cni/bin/bridge\n' >/opt/cni/bin/vpc-bridge
printf '#!/bin/sh\nexec %s -IS %s/vpc-ipam.py\n' "$python" "$(dirname "$0")" >/opt/cni/bin/vpc-ipam
chmod +x /opt/cni/bin/vpc-bridge /opt/cni/bin/vpc-ipam

# Programs in the kernel are attached to this node's part of the tree, and to nothing of the machine's.
if [ -n "$cgroup2" ]; then
  mount -t bpf bpf /sys/fs/bpf
  mkdir -p /run/cilium/cgroupv2
  mount --bind "$cgroup2" /run/cilium/cgroupv2
fi
