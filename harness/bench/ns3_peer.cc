/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `chorus bench sim` compares itself with: the same task on ns-3's own event simulator. One
 * node sends a request to a group every ten seconds; every member answers by unicast after a
 * uniform random time of up to five seconds. Nobody parses CoAP here, which is to ns-3's advantage.
 *
 * The link is ns-3's SimpleChannel, taught where an address is, as a switch would be: its own
 * unicast goes to every device, which takes time in proportion to the size of the group.
 *
 * ./peer MEMBERS REQUESTS prints deliveries and seconds of wall clock.
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <vector>

#include "ns3/core-module.h"
#include "ns3/internet-module.h"
#include "ns3/ipv6-l3-protocol.h"
#include "ns3/network-module.h"

using namespace ns3;

namespace {

constexpr uint16_t kPort = 5683;
const Ipv6Address kGroup("ff05::fd");

class Switch : public SimpleChannel {
 public:
  static TypeId GetTypeId() {
    static TypeId id = TypeId("chorus::Switch").SetParent<SimpleChannel>().AddConstructor<Switch>();
    return id;
  }
  void Add(Ptr<SimpleNetDevice> device) override {
    SimpleChannel::Add(device);
    devices_.push_back(device);
  }
  void Send(Ptr<Packet> packet, uint16_t protocol, Mac48Address to, Mac48Address from,
            Ptr<SimpleNetDevice> sender) override {
    if (!to.IsGroup()) {
      auto known = Table().find(to);
      if (known != table_.end()) Forward(known->second, packet, protocol, to, from);
      return;
    }
    for (auto &device : devices_)
      if (device != sender) Forward(device, packet, protocol, to, from);
  }

 private:
  std::map<Mac48Address, Ptr<SimpleNetDevice>> &Table() {
    if (table_.empty())
      for (auto &device : devices_)
        table_.emplace(Mac48Address::ConvertFrom(device->GetAddress()), device);
    return table_;
  }
  void Forward(Ptr<SimpleNetDevice> device, Ptr<Packet> packet, uint16_t protocol, Mac48Address to,
               Mac48Address from) {
    Simulator::ScheduleWithContext(device->GetNode()->GetId(), MilliSeconds(1),
                                   &SimpleNetDevice::Receive, device, packet->Copy(), protocol, to,
                                   from);
  }
  std::vector<Ptr<SimpleNetDevice>> devices_;
  std::map<Mac48Address, Ptr<SimpleNetDevice>> table_;
};

struct World {
  NodeContainer nodes;
  Ptr<Socket> client;
  Ptr<UniformRandomVariable> leisure;
  uint64_t deliveries = 0;
};

World world;

void Answer(Ptr<Socket> socket, Address to) {
  socket->SendTo(Create<Packet>(20), 0, to);
}

void OnRequest(Ptr<Socket> socket) {
  Address from;
  while (socket->RecvFrom(from)) {
    world.deliveries++;
    Simulator::Schedule(Seconds(world.leisure->GetValue(0, 5)), &Answer, socket, from);
  }
}

void OnResponse(Ptr<Socket> socket) {
  Address from;
  while (socket->RecvFrom(from)) world.deliveries++;
}

void Ask() {
  world.client->SendTo(Create<Packet>(24), 0, Inet6SocketAddress(kGroup, kPort));
}

void Build(uint32_t members) {
  world.nodes.Create(members + 1);
  Ptr<Switch> channel = CreateObject<Switch>();
  SimpleNetDeviceHelper devices;
  NetDeviceContainer installed = devices.Install(world.nodes, channel);
  InternetStackHelper stack;
  stack.SetIpv4StackInstall(false);
  stack.Install(world.nodes);
  Ipv6AddressHelper addresses(Ipv6Address("2001:db8::"), Ipv6Prefix(64));
  addresses.Assign(installed);
  TypeId udp = UdpSocketFactory::GetTypeId();
  for (uint32_t i = 0; i <= members; i++) {
    Ptr<Socket> socket = Socket::CreateSocket(world.nodes.Get(i), udp);
    socket->Bind(Inet6SocketAddress(Ipv6Address::GetAny(), i ? kPort : 40000));
    socket->SetRecvCallback(i ? MakeCallback(&OnRequest) : MakeCallback(&OnResponse));
    if (i)
      world.nodes.Get(i)->GetObject<Ipv6L3Protocol>()->AddMulticastAddress(kGroup);
    else
      world.client = socket;
  }
  Ipv6StaticRoutingHelper routing;
  routing.GetStaticRouting(world.nodes.Get(0)->GetObject<Ipv6>())->SetDefaultMulticastRoute(1);
}

}  // namespace

int main(int count, char **arguments) {
  if (count != 3) return 2;
  uint32_t members = static_cast<uint32_t>(std::strtoul(arguments[1], nullptr, 10));
  uint32_t requests = static_cast<uint32_t>(std::strtoul(arguments[2], nullptr, 10));
  /* Everybody asking everybody for free addresses takes longer than the task, and is no part of it.
   */
  Config::SetDefault("ns3::Icmpv6L4Protocol::DAD", BooleanValue(false));
  world.leisure = CreateObject<UniformRandomVariable>();
  Build(members);
  for (uint32_t i = 0; i < requests; i++) Simulator::Schedule(Seconds(20 + 10 * i), &Ask);
  Simulator::Stop(Seconds(15));
  Simulator::Run(); /* addresses are found, neighbours not yet */
  auto start = std::chrono::steady_clock::now();
  Simulator::Stop(Seconds(10 + 10 * requests));
  Simulator::Run();
  std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  std::printf("%llu %.6f\n", static_cast<unsigned long long>(world.deliveries), seconds.count());
  Simulator::Destroy();
  return world.deliveries >= members ? 0 : 1;
}
