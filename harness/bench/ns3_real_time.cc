/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ns-3 as a switch in real time, for `chorus bench kernel`: its simulator, bound to the clock,
 * carries the Ethernet frames of hosts whose TAP devices it is given as open descriptors.
 *
 * ns-3's own TapBridge is not used: the packaged one cannot find its helper, and it copies each
 * unicast to everybody. Here one thread reads all descriptors and schedules each frame on the device
 * of its host; devices give to their host what is for it. The link is the SimpleChannel without
 * delay, which is the cheapest that ns-3 has.
 *
 * ./ns3_real_time FD FD ... prints a line when it runs, and runs until it is killed.
 */
#include <sys/epoll.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <thread>
#include <vector>

#include "ns3/core-module.h"
#include "ns3/network-module.h"

using namespace ns3;

namespace {

constexpr size_t kHeader = 14;
constexpr size_t kFrame = 2048;

struct Frame {
  size_t length;
  uint8_t octets[kFrame];
};

/* A host's place on the link. */
class Port {
 public:
  Port(int fd, Ptr<SimpleNetDevice> device) : fd_(fd), device_(device) {
    device->SetPromiscReceiveCallback(MakeCallback(&Port::ToHost, this));
  }
  int fd() const { return fd_; }
  uint32_t node() const { return device_->GetNode()->GetId(); }

  void FromHost(Frame *owned) {
    std::unique_ptr<Frame> frame(owned);
    Mac48Address to, from;
    to.CopyFrom(frame->octets);
    from.CopyFrom(frame->octets + 6);
    if (!known_) device_->SetAddress(from); /* as a switch learns it */
    known_ = true;
    uint16_t protocol = static_cast<uint16_t>(frame->octets[12] << 8 | frame->octets[13]);
    device_->Send(Create<Packet>(frame->octets + kHeader,
                                 static_cast<uint32_t>(frame->length - kHeader)),
                  to, protocol);
  }

 private:
  bool ToHost(Ptr<NetDevice>, Ptr<const Packet> packet, uint16_t protocol, const Address &from,
              const Address &to, NetDevice::PacketType type) {
    uint8_t octets[kFrame];
    if (type == NetDevice::PACKET_OTHERHOST || packet->GetSize() + kHeader > kFrame) return true;
    Mac48Address::ConvertFrom(to).CopyTo(octets);
    Mac48Address::ConvertFrom(from).CopyTo(octets + 6);
    octets[12] = static_cast<uint8_t>(protocol >> 8);
    octets[13] = static_cast<uint8_t>(protocol);
    uint32_t length = packet->CopyData(octets + kHeader, kFrame - kHeader);
    if (write(fd_, octets, length + kHeader) < 0) lost_++;
    return true;
  }

  int fd_;
  Ptr<SimpleNetDevice> device_;
  bool known_ = false;
  uint64_t lost_ = 0;
};

std::atomic<bool> running{false};

void ReadAll(const std::vector<std::unique_ptr<Port>> &ports) {
  while (!running) usleep(1000); /* to schedule before the simulator runs would be a race */
  int epoll = epoll_create1(0);
  for (auto &port : ports) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = port.get();
    epoll_ctl(epoll, EPOLL_CTL_ADD, port->fd(), &event);
  }
  std::printf("ready\n");
  std::fflush(stdout);
  for (;;) {
    epoll_event events[64];
    int count = epoll_wait(epoll, events, 64, -1);
    for (int i = 0; i < count; i++) {
      Port *port = static_cast<Port *>(events[i].data.ptr);
      for (;;) {
        auto frame = std::make_unique<Frame>();
        ssize_t length = read(port->fd(), frame->octets, kFrame);
        if (length <= static_cast<ssize_t>(kHeader)) break;
        frame->length = static_cast<size_t>(length);
        Simulator::ScheduleWithContext(port->node(), Seconds(0),
                                       MakeEvent(&Port::FromHost, port, frame.release()));
      }
    }
  }
}

}  // namespace

int main(int count, char **arguments) {
  GlobalValue::Bind("SimulatorImplementationType", StringValue("ns3::RealtimeSimulatorImpl"));
  Ptr<SimpleChannel> channel = CreateObject<SimpleChannel>();
  std::vector<std::unique_ptr<Port>> ports;
  for (int i = 1; i < count; i++) {
    Ptr<Node> node = CreateObject<Node>();
    Ptr<SimpleNetDevice> device =
        DynamicCast<SimpleNetDevice>(SimpleNetDeviceHelper().Install(node, channel).Get(0));
    ports.push_back(std::make_unique<Port>(std::atoi(arguments[i]), device));
  }
  Simulator::Schedule(MilliSeconds(1), +[] { running = true; });
  std::thread reader([&ports] { ReadAll(ports); });
  Simulator::Stop(Seconds(3600));
  Simulator::Run();
  std::_Exit(0); /* the reader never ends */
}
