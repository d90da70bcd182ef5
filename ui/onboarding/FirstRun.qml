// What a newcomer sees over the composer: what this is, and that it already works.
import QtQuick
import Paluku

Flickable {
    id: firstRun

    signal addWanted()

    contentHeight: Math.max(height, column.height + 2 * Theme.s24)
    boundsBehavior: Flickable.StopAtBounds
    interactive: contentHeight > height
    clip: true

    Column {
        id: column

        anchors.centerIn: parent
        width: Math.min(Theme.measure, firstRun.width - 2 * Theme.s24)
        spacing: Theme.s16

        Wordmark {
            anchors.horizontalCenter: parent.horizontalCenter
            height: Theme.s48
        }
        Item {
            width: Theme.s8
            height: Theme.s8
        }
        UiText {
            width: parent.width
            horizontalAlignment: Text.AlignHCenter
            wrapMode: Text.Wrap
            role: Theme.title
            text: qsTr("Ask something. It stays on this computer.")
            Accessible.role: Accessible.Heading
            Accessible.name: text
        }
        UiText {
            anchors.horizontalCenter: parent.horizontalCenter
            width: Math.min(parent.width, Theme.measureShort)
            horizontalAlignment: Text.AlignHCenter
            wrapMode: Text.Wrap
            role: Theme.body
            color: Theme.ink2
            text: qsTr("A small starter model is ready. It speaks simply; add a larger model when you like.")
        }
        Button {
            anchors.horizontalCenter: parent.horizontalCenter
            iconName: "add"
            text: qsTr("Add a model file…")
            onClicked: firstRun.addWanted()
        }
    }
}
